/* Code that scrolls can be reached by keyboard, whatever its width is now. */
"use strict";
{
  const update = (code) => {
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
    else code.removeAttribute("tabindex");
  };
  const watch = new ResizeObserver((changes) => changes.forEach(({ target }) => update(target)));
  for (const code of document.querySelectorAll("pre")) {
    update(code);
    watch.observe(code);
  }
}
