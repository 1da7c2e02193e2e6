// Whether the host panel has a place beside the table (static/css/components/panel.css), or is a sheet over the page.

/** @returns {MediaQueryList} */
export function wide() {
  return matchMedia("(min-width: 1100px)");
}
