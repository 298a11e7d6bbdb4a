// Keeps the page as the database is. For other modules: `hear("frame", …)` of bus.js, and the DOM event `ktrdr:morphed`.
import * as clock from "./clock.js";
import * as fragments from "./fragments.js";
import * as livebar from "./livebar.js";
import * as socket from "./socket.js";

clock.start();
livebar.start();
fragments.start();
socket.start();
