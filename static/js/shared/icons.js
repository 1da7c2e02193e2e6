// Icons are symbols of components/icons.html; templates draw them, script changes which one.
import { find } from "shared/dom";

/**
 * Show another icon where one is drawn.
 * @param {ParentNode} root what has the icon in it
 * @param {string} name
 */
export function setIcon(root, name) {
  const use = find("use", SVGUseElement, root);
  if (use.getAttribute("href") !== `#i-${name}`) use.setAttribute("href", `#i-${name}`);
}
