// Before anything is drawn: light or dark as the reader chose.
(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("lineal-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (_) { /* no storage: as the system says */ }
  document.documentElement.classList.add("js");
})();
