// Modules by their names in the page's import map (`room/core/store`), for node.
import { register } from "node:module";

register(
  `data:text/javascript,${encodeURIComponent(`
    const root = ${JSON.stringify(new URL("../../static/js/", import.meta.url).href)};
    export function resolve(name, context, next) {
      return /^[a-z_]+(\\/[a-z_]+)*$/.test(name) ? next(new URL(name + ".js", root).href, context) : next(name, context);
    }
  `)}`,
);
