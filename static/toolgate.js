// Comfort only. Close closes the tab or window that LAMS opened for this page; where the browser does
// not let a page do that, and without script, the link leads back to LAMS.
for (const link of document.querySelectorAll("[data-close]")) {
  // In a frame of LAMS there is nothing that this page could close, and LAMS is around it already.
  link.hidden = window.top !== window.self;
  link.addEventListener("click", (event) => {
    window.close();
    if (window.closed) {
      event.preventDefault();
    }
  });
}
// A form that is passed on, by itself; its button does the same without script.
for (const form of document.querySelectorAll("form[data-submit]")) {
  form.submit();
}
