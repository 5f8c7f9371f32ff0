
(function () {
  "use strict";
  var form = document.getElementById("report");
  if (!form) { return; }
  var field = function (name) { return form.elements[name]; };
  var begun = performance.now();
  // Seconds since the form was handed out: no clock of the phone's has to be right. Set once, so that a second tap
  // sends the very same report.
  form.addEventListener("submit", function (event) {
    var sender = event.submitter;
    if (sender && sender.name === "show") { return; }
    if (!field("after").value) {
      field("after").value = String(Math.floor(Number(field("before").value || 0) + (performance.now() - begun) / 1000));
    }
    var send = document.getElementById("send");
    if (send.getAttribute("aria-disabled") === "true") { event.preventDefault(); return; }
    send.setAttribute("aria-disabled", "true");
    send.textContent = send.dataset.sending;
    setTimeout(function () { ready(); }, 15000);
  });
  function ready() {
    var send = document.getElementById("send");
    send.setAttribute("aria-disabled", "false");
    send.textContent = send.dataset.send;
  }
  window.addEventListener("pageshow", ready);

  var ask = document.getElementById("locate");
  var found = document.getElementById("found");
  var unfound = document.getElementById("unfound");
  var hand = document.getElementById("by-hand");
  var other = document.getElementById("other");
  function show(located) {
    found.style.display = located ? "block" : "none";
    hand.hidden = located;
    other.hidden = !located;
    ask.hidden = located;
  }
  function forget() {
    ["lon", "lat", "accuracy"].forEach(function (name) { field(name).value = ""; });
    show(false);
  }
  if (ask && navigator.geolocation && window.isSecureContext) {
    ask.hidden = false;
    ask.addEventListener("click", function () {
      ask.textContent = ask.dataset.asking;
      unfound.textContent = "";
      navigator.geolocation.getCurrentPosition(function (position) {
        var here = position.coords;
        field("lon").value = here.longitude.toFixed(6);
        field("lat").value = here.latitude.toFixed(6);
        field("accuracy").value = String(Math.ceil(here.accuracy));
        found.textContent = found.dataset.found.replace("#", String(Math.ceil(here.accuracy)));
        ask.textContent = ask.dataset.ask;
        show(true);
      }, function () {
        ask.textContent = ask.dataset.ask;
        unfound.textContent = unfound.dataset.failed;
      }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 });
    });
    other.addEventListener("click", forget);
    if (field("lon").value) {
      found.textContent = found.dataset.found.replace("#", field("accuracy").value || "?");
      show(true);
    }
  }

  // Where something had to be chosen and now is, nothing is wrong any more.
  form.addEventListener("change", function (event) {
    var name = event.target.name;
    var wrong = document.getElementById("wrong-" + name);
    if (!wrong || ["category", "area", "registered_area"].indexOf(name) < 0 || !event.target.value) { return; }
    var marked = form.querySelector("[aria-describedby='" + wrong.id + "']");
    if (marked) { marked.removeAttribute("aria-invalid"); marked.removeAttribute("aria-describedby"); }
    wrong.remove();
  });

  // Where somebody is registered is asked for only where it is needed.
  var registration = document.getElementById("registration");
  if (registration) {
    var needed = registration.dataset.for.split(" ");
    var asked = function () {
      var chosen = form.querySelector("input[name=category]:checked");
      registration.hidden = !chosen || needed.indexOf(chosen.value) < 0;
    };
    document.getElementById("kinds").addEventListener("change", asked);
    asked();
  }

  var look = document.getElementById("look");
  if (look) {
    look.hidden = false;
    look.addEventListener("input", function () {
      var wanted = look.value.trim().toLowerCase();
      document.querySelectorAll("#kinds details").forEach(function (group) {
        var any = false;
        group.querySelectorAll("label").forEach(function (choice) {
          var fits = choice.textContent.toLowerCase().indexOf(wanted) >= 0;
          choice.hidden = !fits;
          any = any || fits;
        });
        group.hidden = !any;
        if (wanted) { group.open = any; }
      });
    });
    // Enter looks; it does not send.
    look.addEventListener("keydown", function (event) { if (event.key === "Enter") { event.preventDefault(); } });
  }
  var wrong = document.querySelector("[aria-invalid=true]");
  if (wrong && wrong.focus) { wrong.focus(); }
})();
