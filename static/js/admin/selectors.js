/** Name the search icons of Django's two-list chooser as pictures: it labels spans that have no role. */
addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".search-label-icon")) icon.setAttribute("role", "img");
});
