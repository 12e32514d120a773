// Before the first paint: the theme that was chosen, so that nothing flashes. (A file, as the page allows no inline script.)
try {
  var chosen = localStorage.getItem("watchkeeper.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (refused) {
  // storage is switched off: the system's theme it is
}
