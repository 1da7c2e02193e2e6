// A person's picture, or initials on their colour: templates/components/avatar.html and pages/seat.html draw the frame.

/**
 * Fill an avatar.
 * @param {HTMLElement} avatar
 * @param {{ picture: string, initials: string, color: string }} person `picture` is an address or ""
 */
export function drawAvatar(avatar, { picture, initials, color }) {
  avatar.dataset.colour = color;
  if (picture) {
    const image = avatar.querySelector("img") ?? new Image();
    if (image.getAttribute("src") !== picture) image.src = picture;
    image.alt = "";
    avatar.replaceChildren(image);
  } else avatar.textContent = initials;
}
