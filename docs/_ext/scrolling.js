/* Code and tables that scroll can be reached by keyboard, whatever their width is now. */
"use strict";
{
  const update = (box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const watch = new ResizeObserver((changes) => changes.forEach(({ target }) => update(target)));
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    update(box);
    watch.observe(box);
  }
}
