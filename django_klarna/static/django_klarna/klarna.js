// @ts-check
/**
 * The page's side of Klarna Payments: fetches the session of the cart, shows Klarna's widget for it, follows the cart,
 * runs authorize(), and has the server make an order of what Klarna has approved.
 *
 * Events on the widget's element, all bubbling:
 *   klarna:ready       {order_amount, purchase_currency}   the button may be pressed
 *   klarna:authorized  {authorization_token, payment_method_category, attempt}   Klarna has approved; no order yet
 *   klarna:placed      {state, redirect_url}   there is an order; prevent it, and the page does not go to redirect_url
 *   klarna:cancelled   {}                  after klarna:cancel: Klarna has nothing reserved any more
 *   klarna:hidden      {code, reasons}     Klarna cannot be offered
 *   klarna:error       {code, error}       something failed
 * Events on `document` that it follows:
 *   klarna:cart-changing   the page is about to change the cart: the button waits
 *   klarna:cart-changed    it has, or it could not: the widget looks
 *   klarna:cancel          the shopper has chosen another way to pay: the widget rests, and what Klarna has reserved is
 *                          given back; too late for that, klarna:placed follows instead of klarna:cancelled
 *   klarna:refresh         Klarna is chosen again, or something else may have changed: the widget looks
 *
 * A page that is closed or loaded anew in the middle loses nothing: the server hears of the approval from Klarna too,
 * and the next page goes on with a purchase that is under way.
 *
 * Source: https://docs.klarna.com/payments/web-payments/additional-resources/klarna-payments-sdk-reference
 *
 * @typedef {{identifier: string, name?: string, asset_urls?: {standard?: string, descriptive?: string}}} Category
 * @typedef {{client_token: string, payment_method_categories: Category[] | null, order_amount: number,
 *   purchase_currency: string}} Session
 * @typedef {{session_url: string, attempt_url: string, authorization_url: string, csrf_header: string,
 *   csrf_cookie: string | null, csrf_token: string, messages: Record<string, string>}} Config
 * @typedef {"loading" | "ready" | "authorizing" | "placing" | "placed" | "cancelled" | "hidden" | "unavailable"} State
 * @typedef {{attempt: string, data: object}} Attempt
 * @typedef {{attempt?: string, authorization_token?: string}} Told
 * @typedef {{response: Response | null, body: any}} Answer   without any answer both are null
 * @typedef {{show_form: boolean, error?: unknown}} Loaded
 * @typedef {{approved: boolean, show_form: boolean, authorization_token?: string, error?: unknown}} Authorized
 */

// Milliseconds.
const SDK_PATIENCE = 10_000;
const SDK_GRACE = 1_000;
const LOAD_PATIENCE = 20_000;
const REQUEST_PATIENCE = 30_000;
const CHANGE_PATIENCE = 15_000;
const DEBOUNCE = 150;
const RETRY_DELAY = 5_000;
const LONGEST_RETRY_DELAY = 60_000;
const PLACING_DELAY = 1_000;
const AUTHORIZE = "[data-klarna-authorize]";
/** Nothing else is asked meanwhile. @type {State[]} */
const BUSY = ["authorizing", "placing", "cancelled"];

const page = /** @type {any} */ (window);
const otherTabs = new BroadcastChannel("klarna:cart-changed");

/** @param {ParentNode} parent @param {string} selector */
const all = (parent, selector) => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll(selector)]);

/** @param {string} name */
const cookie = (name) =>
  document.cookie
    .split("; ")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** @param {Response | null} response @param {number} first @param {number} failures */
const delayAfter = (response, first, failures) => {
  const asked = Number(response?.headers.get("Retry-After")) * 1000 || 0;
  return Math.min(Math.max(asked, first * 2 ** failures), LONGEST_RETRY_DELAY);
};

/** Wait, but no longer than the network is away. @param {number} delay */
const pause = (delay) =>
  new Promise((resolve) => {
    setTimeout(resolve, delay);
    window.addEventListener("online", resolve, { once: true });
  });

/** Anything else may be true of the order or not. @param {Answer} answer */
const isDefinite = ({ response, body }) =>
  response?.status === 204 || (body && response && response.status < 500 && response.status !== 429);

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
  // A blocked script has failed before this module runs; the page is complete once each of its scripts ran or failed.
  window.addEventListener("load", () => setTimeout(resolve, SDK_GRACE));
});

class KlarnaWidget {
  /** @type {State} */ #state = "loading";
  /** What to ask next: GET looks if the session still equals the cart, POST makes it so. @type {"" | "GET" | "POST"} */
  #due = "";
  /** Until it is over nothing due is sent; 0 for none. */
  #timer = 0;
  /** A request, or the drawing of its answer, is under way. */
  #running = false;
  /** After a load() that failed, Klarna is asked once about the session. @type {"" | "due" | "done"} */
  #recheck = "";
  /** Failed requests in a row. */
  #failures = 0;
  /** What Klarna's script was last given. @type {Session | null} */
  #given = null;
  /** The session of the widget on the page, as JSON; "" when it must be loaded anew. */
  #loaded = "";
  /** The category whose radio button is checked. */
  #chosen = "";
  /** What authorize() will be called with. @type {Attempt} */
  #attempt = { attempt: "", data: {} };
  /** What Klarna has approved; {} for whatever the server knows. @type {Told} */
  #told = {};
  /** Counts what was insisted on: only the last is. */
  #turn = 0;
  /** False between klarna:cancel and klarna:refresh. */
  #wanted = true;
  /** What Klarna has reserved is being given back. */
  #freeing = false;
  /** Klarna has said no; only a change of the cart brings the widget back. */
  #declined = false;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.config = /** @type {Config} */ (JSON.parse(all(element, "script")[0].textContent ?? ""));
    this.status = all(element, "[data-klarna-status]")[0];
    this.methods = all(element, "[data-klarna-methods]")[0];
    document.addEventListener("klarna:cart-changing", () => this.#change(CHANGE_PATIENCE));
    document.addEventListener("klarna:cart-changed", () => {
      otherTabs.postMessage(null);
      this.#change(DEBOUNCE);
    });
    document.addEventListener("klarna:cancel", () => this.#cancel());
    document.addEventListener("klarna:refresh", () => this.#refresh());
    otherTabs.addEventListener("message", () => this.#due || this.#change());
    document.addEventListener("visibilitychange", () => document.hidden || this.#return());
    window.addEventListener("pageshow", (event) => event.persisted && this.#comeBack());
    // Windows may lie side by side; this look costs nobody the button unless it finds something.
    window.addEventListener("focus", () => this.#state === "ready" && !this.#due && this.#ask("GET"));
    document.addEventListener("click", (event) => this.#click(event));
    this.#follow("POST");
  }

  /** Somebody changes the cart. What is loaded stays unless the change is real; Klarna's open window is out of date. */
  #change(delay = 0) {
    if (this.#state === "cancelled") this.#declined = false;
    else this.#follow(this.#loaded && !BUSY.includes(this.#state) ? "GET" : "POST", delay);
  }

  /** The shopper is back, but not from Klarna's window: there #answered leads on. */
  #return() {
    if (!this.#due && !this.#declined && this.#state !== "placed" && !BUSY.includes(this.#state)) this.#follow("GET");
  }

  /** By the back button, perhaps from the page on which the purchase has ended. */
  #comeBack() {
    if (this.#state === "placed") this.#resume();
    else this.#return();
  }

  /** @param {"GET" | "POST"} method */
  #follow(method, delay = 0) {
    this.#failures = 0;
    this.#recheck = "";
    this.#declined = false;
    // Until the session is known to equal the cart again, the button must wait.
    if (this.#state === "ready") this.#enter("loading");
    this.#ask(method, delay);
  }

  /** @param {"GET" | "POST"} method */
  #ask(method, delay = 0) {
    this.#due = this.#due === "POST" ? "POST" : method;
    this.#after(delay, () => this.#run());
  }

  /** @param {number} delay @param {() => void} act */
  #after(delay, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      act();
    }, delay);
  }

  /** One request at a time; whatever became due meanwhile is one more, and waits while the page is busy. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#due && !this.#timer && !BUSY.includes(this.#state)) {
      const method = this.#due;
      this.#due = "";
      await this.#round(method);
    }
    this.#running = false;
  }

  /** What is being done has lost its point. */
  get #isOvertaken() {
    return this.#due !== "" || this.#state === "cancelled";
  }

  /** @param {"GET" | "POST"} method */
  async #round(method) {
    const { response, body } = await this.#askForSession(method);
    if (this.#isOvertaken) return;
    if (method === "GET") await this.#compare(response, body);
    else if (body?.redirect_url) this.#placed(body);
    else if (response?.ok && ["authorized", "placing"].includes(body?.state)) this.#place({});
    else if (response?.ok && body?.client_token) await this.#show(body);
    else if (response?.status === 409) this.#hide(body?.code, body?.reasons);
    else this.#unavailable(body?.code ?? "unavailable", { response });
  }

  /** @param {"GET" | "POST"} method */
  #askForSession(method) {
    const content = this.#recheck === "due" ? { recheck: true } : {};
    if (method === "POST" && this.#recheck) this.#recheck = "done";
    return this.#request(method, this.config.session_url, content);
  }

  /**
   * @param {"GET" | "POST" | "DELETE"} method @param {string} url @param {object} content
   * @returns {Promise<Answer>}
   */
  async #request(method, url, content) {
    const { authorization_url, csrf_header, csrf_cookie, csrf_token } = this.config;
    // A login in another tab has changed the token since this page was made; the cookie has the present one.
    const token = (csrf_cookie && cookie(csrf_cookie)) || csrf_token;
    const headers = { "Content-Type": "application/json", [csrf_header]: token };
    const told = method === "GET" ? {} : { headers, body: JSON.stringify(content) };
    const signal = AbortSignal.timeout(REQUEST_PATIENCE);
    // What Klarna has approved arrives even when the shopper closes the page at once.
    const keepalive = url === authorization_url;
    const response = await fetch(url, { method, signal, keepalive, cache: "no-store", ...told }).catch(() => null);
    return { response, body: (await response?.json().catch(() => null)) ?? null };
  }

  /** @param {Response | null} response @param {any} body the session of the widget, or whatever needs a POST */
  async #compare(response, body) {
    if (response?.ok && this.#loaded && JSON.stringify(body) === this.#loaded) return this.#prepareAnew();
    // A look that nobody waits for may fail.
    const waited = this.#state === "loading" || this.#state === "unavailable";
    if (!waited && !response?.ok && response?.status !== 409) return;
    if (this.#state === "ready") this.#enter("loading");
    this.#due = "POST";
  }

  /** The session is the same; where the shopper lives may not be. */
  async #prepareAnew() {
    if (this.#state !== "loading" && this.#state !== "ready") return;
    const answer = await this.#request("POST", this.config.attempt_url, {});
    const waited = this.#state === "loading";
    if (this.#isOvertaken || (!waited && this.#state !== "ready")) return;
    if (!waited && !answer.response?.ok && answer.response?.status !== 409) return;
    if (this.#prepared(answer) && waited) this.#enter("ready");
  }

  /** @param {Answer} answer @returns {boolean} whether it is fixed what authorize() will be called with */
  #prepared({ response, body }) {
    if (response?.ok && body?.attempt) {
      this.#attempt = body;
      return true;
    }
    if (body?.code === "session_stale") this.#startAgain();
    else if (response?.status === 409) this.#hide(body?.code, body?.reasons);
    else this.#unavailable(body?.code ?? "unavailable", { response });
    return false;
  }

  /** At once, unless that has just been tried. */
  #startAgain() {
    this.#loaded = "";
    this.#due = "POST";
    this.#enter("loading");
    if (!this.#timer) this.#after(RETRY_DELAY * this.#failures, () => this.#run());
    this.#failures += 1;
  }

  /** @param {Session} session */
  async #show(session) {
    this.#loaded = "";
    const categories = session.payment_method_categories ?? [];
    if (!categories.length) return this.#hide("no_payment_method");
    await Promise.race([arrival, patience]);
    if (this.#isOvertaken) return;
    if (!page.Klarna?.Payments) {
      arrival.then(() => this.#change());
      return this.#hide("sdk_unavailable");
    }
    this.#enter("loading");
    const [results, answer] = await Promise.all([
      this.#load(session, categories).catch((error) => [{ show_form: false, error }]),
      this.#request("POST", this.config.attempt_url, {}),
    ]);
    if (this.#isOvertaken) return;
    if (!this.#offer(results)) this.#refused(results);
    else if (this.#prepared(answer)) this.#ready(session);
  }

  /** @param {Session} session @param {Category[]} categories @returns {Promise<Loaded[]>} */
  async #load(session, categories) {
    const given = this.#given;
    if (JSON.stringify(categories) !== JSON.stringify(given?.payment_method_categories)) this.#draw(categories);
    if (session.client_token !== given?.client_token) page.Klarna.Payments.init({ client_token: session.client_token });
    this.#given = session;
    return Promise.all(categories.map(({ identifier }, index) => this.#loadOne(identifier, index)));
  }

  /** @param {string} identifier @param {number} index @returns {Promise<Loaded>} */
  #loadOne(identifier, index) {
    const options = { container: `#klarna-container-${index}`, payment_method_category: identifier };
    return new Promise((resolve) => {
      setTimeout(resolve, LOAD_PATIENCE, { show_form: false, error: "timeout" });
      page.Klarna.Payments.load(options, {}, resolve);
    });
  }

  /** @param {Loaded[]} results @returns {boolean} whether Klarna offers any of the categories */
  #offer(results) {
    const methods = all(this.methods, ".klarna-method");
    methods.forEach((method, index) => (method.hidden = !results[index]?.show_form));
    const offered = methods.filter((method) => !method.hidden).map((method) => method.dataset.category ?? "");
    if (offered.length) this.#choose(offered.includes(this.#chosen) ? this.#chosen : offered[0]);
    return offered.length > 0;
  }

  /** @param {Session} session */
  #ready(session) {
    this.#loaded = JSON.stringify(session);
    this.#failures = 0;
    this.#recheck = "";
    this.#enter("ready");
    this.#emit("ready", { order_amount: session.order_amount, purchase_currency: session.purchase_currency });
  }

  /** @param {Loaded[]} results */
  #refused(results) {
    const error = results.find((result) => result.error)?.error;
    if (!error) return this.#hide("not_offered");
    if (this.#recheck === "done") return this.#unavailable("load_failed", { error });
    this.#recheck = "due";
    this.#due = "POST";
  }

  /** @param {Category[]} categories */
  #draw(categories) {
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
    const options = { payment_method_category: this.#chosen, auto_finalize: true };
    const { attempt, data } = this.#attempt;
    try {
      // In this very task: after any wait the browser would block Klarna's window.
      page.Klarna.Payments.authorize(options, data, (/** @type {Authorized} */ result) =>
        this.#answered(result, { attempt, payment_method_category: options.payment_method_category }),
      );
    } catch (error) {
      this.#unavailable("authorize_failed", { error });
    }
  }

  /** @param {Authorized} result @param {{attempt: string, payment_method_category: string}} asked */
  #answered({ approved, show_form, authorization_token, error }, { attempt, payment_method_category }) {
    if (approved && authorization_token) {
      this.#emit("authorized", { authorization_token, payment_method_category, attempt });
      this.#approved({ attempt, authorization_token });
    } else if (this.#state !== "authorizing") return;
    else if (this.#due) this.#startAgain();
    else if (show_form) {
      this.#enter("ready");
      if (error) this.#emit("error", { code: "not_authorized", error });
    } else this.#hide("declined");
  }

  /** Whether this is still what the shopper wants to buy, only the server can tell. @param {Told} told */
  #approved(told) {
    this.#told = told;
    if (this.#state === "cancelled") this.#free();
    else this.#place(told);
  }

  /** @param {Told} told */
  async #place(told) {
    this.#told = told;
    this.#enter("placing");
    const answer = await this.#insist("POST");
    if (answer?.body?.redirect_url) this.#placed(answer.body);
    else if (answer?.response?.status === 409) this.#undone(answer.body);
    else if (answer) this.#unavailable(answer.body.code, { response: answer.response });
    this.#run();
  }

  /** The same until its outcome is known; null once another one takes its place. @param {"POST" | "DELETE"} method */
  async #insist(method) {
    this.#turn += 1;
    const turn = this.#turn;
    const told = this.#told;
    for (let failures = 0; turn === this.#turn; failures += 1) {
      const answer = await this.#request(method, this.config.authorization_url, told);
      if (turn === this.#turn && isDefinite(answer)) return answer;
      await pause(delayAfter(answer.response, PLACING_DELAY, failures));
    }
    return null;
  }

  /** @param {{state?: string, redirect_url: string}} order */
  #placed({ state = "placed", redirect_url }) {
    this.#told = {};
    this.#loaded = "";
    this.#due = "";
    this.#enter("placed");
    if (this.#emit("placed", { state, redirect_url })) location.assign(redirect_url);
  }

  /** Nothing was bought. @param {{code: string, reason?: string}} why */
  #undone({ code, reason = code }) {
    this.#told = {};
    if (code === "declined") return this.#hide("declined");
    this.#startAgain();
    this.#emit("error", { code: reason, error: null });
  }

  #cancel() {
    this.#wanted = false;
    if (this.#state === "cancelled" || this.#state === "placed") return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#due = "";
    this.#enter("cancelled");
    this.#free();
  }

  /** Klarna gives back what it has reserved, also for an earlier page. */
  async #free() {
    this.#freeing = true;
    const answer = await this.#insist("DELETE");
    if (!answer) return;
    this.#freeing = false;
    const { response, body } = answer;
    if (body?.redirect_url) return this.#placed(body);
    if (body?.code === "placing") return this.#place(this.#told);
    if (response?.status === 403) return this.#unavailable(body.code, { response });
    this.#told = {};
    this.#emit("cancelled", {});
    if (this.#wanted) this.#resume();
  }

  #refresh() {
    this.#wanted = true;
    if (this.#state !== "cancelled") this.#return();
    else if (!this.#freeing) this.#resume();
  }

  #resume() {
    if (this.#declined) return this.#hide("declined");
    this.#enter("loading");
    this.#follow("POST");
  }

  /** @param {unknown[]} reasons */
  #hide(code = "cart_not_payable", reasons = []) {
    // A declined session is still the one on the page.
    this.#declined = code === "declined";
    if (!this.#declined) this.#loaded = "";
    this.#enter("hidden");
    this.#emit("hidden", { code, reasons });
  }

  /** @param {string} code @param {{response?: Response | null, error?: unknown}} cause */
  #unavailable(code, { response = null, error = null }) {
    this.#loaded = "";
    this.#enter("unavailable");
    if (response?.status === 403) this.status.textContent = this.config.messages.forbidden;
    this.#emit("error", { code, error });
    const passing = !error && (!response || response.status === 429 || response.status >= 500);
    if (!passing || this.#due) return;
    const delay = delayAfter(response, RETRY_DELAY, this.#failures);
    this.#failures += 1;
    // Nobody looks at a page in the background; it asks when it is back.
    this.#after(delay, () => document.hidden || this.#ask("POST"));
  }

  /** @param {State} state */
  #enter(state) {
    this.#state = state;
    this.element.dataset.klarnaState = state;
    this.element.hidden = state === "hidden";
    this.element.setAttribute("aria-busy", String(["loading", "authorizing", "placing"].includes(state)));
    // With a widget in place, "loading" is a check of some milliseconds: no text that comes and goes.
    this.status.textContent = state === "loading" && this.#loaded ? "" : (this.config.messages[state] ?? "");
    this.methods.hidden = state === "unavailable";
    this.methods.toggleAttribute("disabled", state === "placed" || BUSY.includes(state));
    for (const button of all(document, AUTHORIZE)) {
      Object.assign(button, { disabled: state !== "ready", hidden: state === "hidden" });
    }
  }

  /** @param {string} name @param {object} detail @returns {boolean} whether nobody has prevented what follows */
  #emit(name, detail) {
    const cancelable = name === "placed";
    return this.element.dispatchEvent(new CustomEvent(`klarna:${name}`, { bubbles: true, cancelable, detail }));
  }
}

const element = document.querySelector("[data-klarna-widget]");
if (element instanceof HTMLElement) new KlarnaWidget(element);
