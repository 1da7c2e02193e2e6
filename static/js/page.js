// On every page: times in the reader's own zone and words, and menus that close when one looks elsewhere.

const styles = {
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
  clock: { hour: "2-digit", minute: "2-digit" },
};

export function upgradeTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const style = styles[time.dataset.style] ?? styles.short;
    if (!Number.isNaN(at.getTime())) {
      time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(at);
    }
  }
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = event.type !== "keydown" && menu.contains(event.target);
    if (inside || (event.type === "keydown" && event.key !== "Escape")) continue;
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (event.type === "keydown" && hadFocus) menu.querySelector("summary").focus();
  }
}

upgradeTimes();
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
