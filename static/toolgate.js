// Comfort only: a page that was opened in a window of its own can close that window.
// Without script, or where the browser does not let it, the link leads back to LAMS.
for (const link of document.querySelectorAll("[data-close]")) {
  link.addEventListener("click", (event) => {
    if (window.opener || window.history.length === 1) {
      event.preventDefault();
      window.close();
      window.setTimeout(() => window.location.assign(link.href), 300);
    }
  });
}
