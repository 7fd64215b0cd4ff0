// @ts-check
/**
 * The page's side of Klarna Payments: fetches the session of the cart, shows Klarna's widget for it, follows the cart,
 * and runs authorize(). Taking the token to the server is the business of whoever hears `klarna:authorized`.
 *
 * Events on the widget's element, all bubbling:
 *   klarna:ready       {order_amount, purchase_currency}                the button may be pressed
 *   klarna:authorized  {authorization_token, payment_method_category}   Klarna has approved
 *   klarna:hidden      {code, reasons}                                  Klarna cannot be offered
 *   klarna:error       {code, error}                                    something failed
 * Event on `document` that it follows: klarna:cart-changed.
 *
 * Source: https://docs.klarna.com/payments/web-payments/additional-resources/klarna-payments-sdk-reference
 *
 * @typedef {{identifier: string, name?: string, asset_urls?: {standard?: string, descriptive?: string}}} Category
 * @typedef {{client_token: string, payment_method_categories: Category[] | null, order_amount: number,
 *   purchase_currency: string}} Session
 * @typedef {{session_url: string, csrf_header: string, csrf_token: string, messages: Record<string, string>}} Config
 * @typedef {"loading" | "ready" | "authorizing" | "authorized" | "hidden" | "unavailable"} State
 * @typedef {{show_form: boolean, error?: unknown}} Loaded
 * @typedef {{approved: boolean, show_form: boolean, authorization_token?: string, error?: unknown}} Authorized
 */

// Milliseconds.
const SDK_PATIENCE = 10_000;
const LOAD_PATIENCE = 20_000;
const REQUEST_PATIENCE = 30_000;
const DEBOUNCE = 150;
const RETRY_DELAY = 5_000;
const LONGEST_RETRY_DELAY = 60_000;
const RETRIES = 3;
const AUTHORIZE = "[data-klarna-authorize]";

const page = /** @type {any} */ (window);

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {ParentNode} parent @param {string} selector */
const all = (parent, selector) => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll(selector)]);

const arrival = new Promise((resolve) => {
  if (page.Klarna?.Payments) return resolve(null);
  // Klarna's script calls this once; whoever waited for it before us must still hear of it.
  const earlier = page.klarnaAsyncCallback;
  page.klarnaAsyncCallback = () => {
    resolve(null);
    earlier?.();
  };
});

const patience = new Promise((resolve) => {
  setTimeout(resolve, SDK_PATIENCE);
  document.querySelector("script[data-klarna-sdk]")?.addEventListener("error", resolve);
});

class KlarnaWidget {
  /** @type {State} */ #state = "loading";
  /** The state to come back to after a check that found nothing new. @type {State} */ #rest = "loading";
  /** @type {"" | "GET" | "POST"} */ #due = "";
  /** @type {number | undefined} */ #timer;
  #running = false;
  #recheck = false;
  #rechecked = false;
  #late = false;
  #retries = 0;
  #token = "";
  #drawn = "";
  #loaded = "";
  #chosen = "";

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.config = /** @type {Config} */ (JSON.parse(all(element, "script")[0].textContent ?? ""));
    this.status = all(element, "[data-klarna-status]")[0];
    this.methods = all(element, "[data-klarna-methods]")[0];
    document.addEventListener("klarna:cart-changed", () => this.#follow("POST", DEBOUNCE));
    document.addEventListener("visibilitychange", () => document.hidden || this.#follow("GET"));
    window.addEventListener("pageshow", (event) => event.persisted && this.#follow("GET"));
    document.addEventListener("click", (event) => this.#click(event));
    arrival.then(() => this.#late && this.#follow("GET"));
    this.#follow("POST");
  }

  /** @param {"GET" | "POST"} method */
  #follow(method, delay = 0) {
    this.#retries = 0;
    this.#rechecked = false;
    this.#ask(method, delay);
  }

  /** @param {"GET" | "POST"} method */
  #ask(method, delay = 0) {
    this.#due = this.#due === "POST" ? "POST" : method;
    // Until the session is known to equal the cart again, the button must wait; what is hidden stays hidden.
    if (this.#state !== "authorizing" && this.#state !== "hidden") this.#enter("loading");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), delay);
  }

  /** One request at a time; whatever became due meanwhile is one more. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#due && this.#state !== "authorizing") {
      const method = this.#due;
      this.#due = "";
      await this.#round(method);
    }
    this.#running = false;
  }

  /** @param {"GET" | "POST"} method */
  async #round(method) {
    const response = await this.#fetch(method);
    const body = await response?.json().catch(() => null);
    if (this.#due) return;
    if (response?.ok && body?.client_token) await this.#show(body, method === "POST");
    else if (response?.ok && method === "GET") this.#due = "POST";
    else if (response?.status === 409) this.#hide(body?.code, body?.reasons);
    else this.#unavailable(body?.code ?? "unavailable", { response });
  }

  /** @param {"GET" | "POST"} method @returns {Promise<Response | null>} null without any answer */
  #fetch(method) {
    const { session_url, csrf_header, csrf_token } = this.config;
    const signal = AbortSignal.timeout(REQUEST_PATIENCE);
    if (method === "GET") return fetch(session_url, { signal, cache: "no-store" }).catch(() => null);
    const body = JSON.stringify(this.#recheck ? { recheck: true } : {});
    this.#recheck = false;
    const headers = { "Content-Type": "application/json", [csrf_header]: csrf_token };
    return fetch(session_url, { method, body, headers, signal }).catch(() => null);
  }

  /** @param {Session} session @param {boolean} anew */
  async #show(session, anew) {
    const categories = session.payment_method_categories ?? [];
    if (!categories.length) return this.#hide("no_payment_method");
    await Promise.race([arrival, patience]);
    if (this.#due) return;
    this.#late = !page.Klarna?.Payments;
    if (this.#late) {
      this.#emit("error", { code: "sdk_unavailable", error: null });
      return this.#hide("sdk_unavailable");
    }
    const content = JSON.stringify(session);
    if (!anew && content === this.#loaded) return this.#enter(this.#rest);
    this.#loaded = "";
    const results = await this.#load(session, categories).catch((error) => [{ show_form: false, error }]);
    if (this.#due) return;
    if (this.#offer(results)) this.#ready(session, content);
    else this.#refused(results);
  }

  /** @param {Session} session @param {Category[]} categories @returns {Promise<Loaded[]>} */
  async #load({ client_token }, categories) {
    this.element.hidden = false;
    this.#draw(categories);
    if (client_token !== this.#token) page.Klarna.Payments.init({ client_token });
    this.#token = client_token;
    return Promise.all(categories.map(({ identifier }, index) => this.#loadOne(identifier, index)));
  }

  /** @param {string} identifier @param {number} index @returns {Promise<Loaded>} */
  #loadOne(identifier, index) {
    const options = { container: `#klarna-container-${index}`, payment_method_category: identifier };
    const late = pause(LOAD_PATIENCE).then(() => ({ show_form: false, error: "timeout" }));
    return Promise.race([late, new Promise((resolve) => page.Klarna.Payments.load(options, {}, resolve))]);
  }

  /** @param {Loaded[]} results @returns {boolean} whether Klarna offers any of the categories */
  #offer(results) {
    const methods = all(this.methods, ".klarna-method");
    methods.forEach((method, index) => (method.hidden = !results[index]?.show_form));
    const offered = methods.filter((method) => !method.hidden).map((method) => method.dataset.category ?? "");
    if (offered.length) this.#choose(offered.includes(this.#chosen) ? this.#chosen : offered[0]);
    return offered.length > 0;
  }

  /** @param {Session} session @param {string} content */
  #ready({ order_amount, purchase_currency }, content) {
    this.#loaded = content;
    this.#retries = 0;
    this.#rechecked = false;
    this.#settle("ready");
    this.#emit("ready", { order_amount, purchase_currency });
  }

  /** @param {Loaded[]} results */
  #refused(results) {
    const error = results.find((result) => result.error)?.error;
    if (!error) return this.#hide("not_offered");
    if (this.#rechecked) return this.#unavailable("load_failed", { error });
    this.#rechecked = this.#recheck = true;
    this.#due = "POST";
  }

  /** @param {Category[]} categories */
  #draw(categories) {
    const drawn = JSON.stringify(categories);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    all(this.methods, ".klarna-method").forEach((method) => method.remove());
    categories.forEach((category, index) => this.#drawOne(category, index));
    all(this.methods, "legend, input").forEach((part) => (part.hidden = categories.length === 1));
  }

  /** @param {Category} category @param {number} index */
  #drawOne({ identifier, name, asset_urls }, index) {
    const template = /** @type {HTMLTemplateElement} */ (all(this.element, "template")[0]);
    const method = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const [radio, badge, label, container] = all(method, "input, img, span, .klarna-container");
    method.dataset.category = identifier;
    radio.onchange = () => this.#choose(identifier);
    const src = asset_urls?.standard ?? asset_urls?.descriptive;
    if (src) badge.setAttribute("src", src);
    else badge.remove();
    label.textContent = name || identifier;
    container.id = `klarna-container-${index}`;
    this.methods.append(method);
  }

  /** @param {string} identifier */
  #choose(identifier) {
    this.#chosen = identifier;
    for (const method of all(this.methods, ".klarna-method")) {
      const chosen = method.dataset.category === identifier;
      Object.assign(all(method, "input")[0], { checked: chosen });
      all(method, ".klarna-container")[0].hidden = !chosen;
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (!(event.target instanceof Element && event.target.closest(AUTHORIZE))) return;
    event.preventDefault();
    if (this.#state !== "ready") return;
    this.#enter("authorizing");
    try {
      // In this very task: after any wait the browser would block Klarna's window.
      const options = { payment_method_category: this.#chosen, auto_finalize: true };
      page.Klarna.Payments.authorize(options, {}, (/** @type {Authorized} */ result) => this.#answered(result));
    } catch (error) {
      this.#unavailable("authorize_failed", { error });
    }
  }

  /** @param {Authorized} result */
  #answered({ approved, show_form, authorization_token, error }) {
    if (this.#state !== "authorizing") return;
    if (approved && authorization_token) {
      this.#settle("authorized");
      this.#emit("authorized", { authorization_token, payment_method_category: this.#chosen });
    } else if (show_form) {
      this.#settle("ready");
      if (error) this.#emit("error", { code: "not_authorized", error });
    } else this.#hide("declined");
    if (this.#due) this.#ask(this.#due);
  }

  /** @param {unknown[]} reasons */
  #hide(code = "cart_not_payable", reasons = []) {
    // A declined session is still the one on the page; only a change of the cart brings the widget back.
    if (code !== "declined") this.#loaded = "";
    this.#settle("hidden");
    this.#emit("hidden", { code, reasons });
  }

  /** @param {string} code @param {{response?: Response | null, error?: unknown}} cause */
  #unavailable(code, { response = null, error = null }) {
    this.#loaded = "";
    this.#settle("unavailable");
    this.#emit("error", { code, error });
    const passing = !error && (!response || response.status === 429 || response.status >= 500);
    if (!passing || this.#due || this.#retries === RETRIES) return;
    this.#retries += 1;
    const asked = Number(response?.headers.get("Retry-After")) * 1000 || RETRY_DELAY * this.#retries;
    this.#timer = setTimeout(() => this.#ask("POST"), Math.min(asked, LONGEST_RETRY_DELAY));
  }

  /** @param {State} state */
  #settle(state) {
    this.#rest = state;
    this.#enter(state);
  }

  /** @param {State} state */
  #enter(state) {
    this.#state = state;
    this.element.dataset.klarnaState = state;
    this.element.hidden = state === "hidden";
    this.element.setAttribute("aria-busy", String(state === "loading" || state === "authorizing"));
    // With a widget in place, "loading" is a check of some milliseconds: no text that comes and goes.
    this.status.textContent = state === "loading" && this.#loaded ? "" : (this.config.messages[state] ?? "");
    this.methods.hidden = state === "unavailable";
    for (const button of all(document, AUTHORIZE)) {
      Object.assign(button, { disabled: state !== "ready", hidden: state === "hidden" });
    }
  }

  /** @param {string} name @param {object} detail */
  #emit(name, detail) {
    this.element.dispatchEvent(new CustomEvent(`klarna:${name}`, { bubbles: true, detail }));
  }
}

const element = document.querySelector("[data-klarna-widget]");
if (element instanceof HTMLElement) new KlarnaWidget(element);
