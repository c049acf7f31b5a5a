/* Code that scrolls can be reached by keyboard, whatever its width is now. */
"use strict";
{
  const watch = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const code of document.querySelectorAll("pre")) watch.observe(code);
}
