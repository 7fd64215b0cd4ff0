// @ts-check
/**
 * The shop's own script. Every form works without it; with it the page stays and its numbers follow the cart.
 *
 * @typedef {{count: number, lines: Record<string, {quantity: number, total: string}>, subtotal: string,
 *   shipping: string, to_free_shipping: string, tax: string, total: string}} Cart
 */

/** @param {ParentNode} parent @param {string} selector */
const all = (parent, selector) => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll(selector)]);

// Milliseconds without a key.
const TYPING_PAUSE = 400;

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

const delivery = /** @type {HTMLFormElement | undefined} */ (all(document, "[data-delivery]")[0]);
let pausing = 0;

// An address that cannot be right yet is not sent; what was sent before stays.
function sendDelivery() {
  typing = false;
  if (delivery?.checkValidity()) send(delivery, null, () => tellKlarna("changed"));
  else tellKlarna("changed");
}

delivery?.addEventListener("input", () => {
  typing = true;
  tellKlarna("changing");
  clearTimeout(pausing);
  pausing = setTimeout(sendDelivery, TYPING_PAUSE);
});
// Enter ends the pause.
delivery?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pausing);
  sendDelivery();
});

/** @param {string} [name] the one answer that is shown */
function showAnswer(name) {
  for (const answer of all(document, "[data-answer]")) answer.hidden = answer.dataset.answer !== name;
}

// Between Klarna's approval and the order nothing that is bought may change.
let approved = false;

/** @param {boolean} now */
function setApproved(now) {
  approved = now;
  for (const part of all(document, "[data-frozen-by-approval]")) part.inert = now;
}

document.addEventListener("klarna:authorized", () => {
  setApproved(true);
  showAnswer();
});
document.addEventListener("klarna:hidden", () => {
  setApproved(false);
  showAnswer("refused");
  lookAtCart();
});
document.addEventListener("klarna:error", (event) => {
  const { code } = /** @type {CustomEvent} */ (event).detail;
  showAnswer(approved ? (code === "cart_changed" ? "changed" : "undone") : "");
  setApproved(false);
});
// The widget is ready again at once; what became of the last purchase must stay readable.
document.addEventListener("klarna:ready", () => {
  if (all(document, "[data-answer=refused]").some((answer) => !answer.hidden)) showAnswer();
});

// Klarna beside another way to pay: who chooses that must have nothing reserved at Klarna any more.
const ways = /** @type {HTMLInputElement[]} */ (all(document, "[data-way]"));

/** @param {"payBy" | "invoice"} kind @param {string} name of the parts of a kind, the one that is shown */
function showOnly(kind, name) {
  const parts = all(document, "[data-pay-by], [data-invoice]").filter((part) => kind in part.dataset);
  for (const part of parts) part.hidden = part.dataset[kind] !== name;
}

for (const way of ways) {
  way.addEventListener("change", () => {
    showOnly("payBy", way.value);
    showOnly("invoice", "wait");
    document.dispatchEvent(new CustomEvent(way.value === "klarna" ? "klarna:refresh" : "klarna:cancel"));
  });
}
document.addEventListener("klarna:cancelled", () => {
  setApproved(false);
  showOnly("invoice", "free");
});

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
