// @ts-check
/**
 * The shop's own script. Every form works without it; with it the page stays and its numbers follow the cart.
 *
 * @typedef {{count: number, lines: Record<string, {quantity: number, total: string}>, subtotal: string,
 *   shipping: string, to_free_shipping: string, tax: string, total: string}} Cart
 */

/** @param {ParentNode} parent @param {string} selector */
const all = (parent, selector) => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll(selector)]);

// Changes reach the server one after another, in the order in which they were made.
let queue = Promise.resolve();
let waiting = 0;
// A number that is being typed must not be overwritten by what the server knows.
let typing = false;

/** Klarna's button must wait from the first moment of a change. @param {"changing" | "changed"} what */
const tellKlarna = (what) => document.dispatchEvent(new CustomEvent(`klarna:cart-${what}`));

/** @param {HTMLFormElement} form @param {HTMLElement | null} button @param {(cart: Cart) => void} then */
function send(form, button, then) {
  const body = new FormData(form, button);
  const request = { method: "POST", body, headers: { Accept: "application/json" } };
  waiting += 1;
  tellKlarna("changing");
  queue = queue
    .then(() => fetch(form.action, request))
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))))
    .then((cart) => {
      waiting -= 1;
      // While more changes are on their way, the numbers on the page are already newer than these.
      if (!waiting) then(cart);
    })
    .catch(() => {
      waiting -= 1;
      tellKlarna("changed");
      location.reload();
    });
}

/** @param {Cart} cart */
function showCart(cart) {
  const shown = all(document, "[data-line]");
  if (shown.length && !cart.count) return location.reload();
  for (const place of all(document, "[data-cart]")) {
    place.textContent = String(cart[/** @type {keyof Cart} */ (place.dataset.cart)]);
  }
  for (const hint of all(document, "[data-free-shipping]")) hint.hidden = !cart.to_free_shipping;
  for (const line of shown) showLine(line, cart.lines[line.dataset.line ?? ""]);
}

/** @param {Cart} cart @param {string} text */
function followCart(cart, text) {
  showCart(cart);
  for (const place of all(document, "[data-announce]")) place.textContent = text;
  tellKlarna("changed");
}

/** @param {HTMLElement} line @param {{quantity: number, total: string} | undefined} content */
function showLine(line, content) {
  if (!content) return line.remove();
  all(line, "[data-line-total]")[0].textContent = content.total;
  Object.assign(all(line, "[name=quantity]")[0], { value: content.quantity });
}

for (const form of /** @type {HTMLFormElement[]} */ (all(document, "[data-quantity]"))) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("quantity"));
  field.addEventListener("input", () => {
    typing = true;
    tellKlarna("changing");
  });
  // What was typed and taken back, or cannot be sent, is no change.
  field.addEventListener("blur", () => {
    if (typing && !waiting) tellKlarna("changed");
    typing = false;
  });
  field.addEventListener("change", () => typing && form.reportValidity() && form.requestSubmit());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Enter is a change and then a submit of the same number.
    if (!typing && !event.submitter?.getAttribute("name")) return;
    typing = false;
    send(form, event.submitter, (cart) => followCart(cart, `The total is ${cart.total}.`));
    const step = event.submitter?.getAttribute("name") === "step" ? Number(event.submitter.getAttribute("value")) : 0;
    field.value = String(Math.min(Number(field.value) + step, Number(field.max)));
  });
}

for (const form of /** @type {HTMLFormElement[]} */ (all(document, "[data-add]"))) {
  const text = all(form, "[data-add-text]")[0];
  const usual = text.textContent;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter, (cart) => {
      followCart(cart, `Added. Pieces in the cart: ${cart.count}.`);
      text.textContent = "Added";
      setTimeout(() => (text.textContent = usual), 1600);
    });
  });
}

const [approved, refused, overtaken] = ["approved", "refused", "overtaken"].map(
  (answer) => all(document, `[data-klarna-${answer}]`)[0],
);

/** @param {HTMLElement | null} answer */
function showAnswer(answer) {
  for (const each of [approved, refused, overtaken]) each.hidden = each !== answer;
}

if (approved) {
  // The widget is ready again at once; what became of the last purchase must stay readable.
  document.addEventListener("klarna:ready", () => showAnswer(overtaken.hidden ? null : overtaken));
  document.addEventListener("klarna:error", (event) => {
    showAnswer(/** @type {CustomEvent} */ (event).detail.code === "cart_changed" ? overtaken : null);
  });
  document.addEventListener("klarna:hidden", () => showAnswer(refused));
  document.addEventListener("klarna:authorized", () => showAnswer(approved));
}

// The cart may have changed in another window. A line that this page has never seen needs the server's drawing.
async function lookAtCart() {
  const shown = all(document, "[data-line]").map((line) => line.dataset.line);
  if (document.hidden || waiting || typing || !shown.length) return;
  const response = await fetch(document.body.dataset.summaryUrl ?? "", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  const cart = await response.json();
  if (waiting || typing) return;
  if (Object.keys(cart.lines).some((line) => !shown.includes(line))) location.reload();
  else showCart(cart);
}

document.addEventListener("visibilitychange", lookAtCart);
document.addEventListener("klarna:ready", lookAtCart);
window.addEventListener("focus", lookAtCart);

// A page that the back button brings out of the browser's memory shows numbers of another time.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
