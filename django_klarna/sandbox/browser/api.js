/*
 * A stand-in for Klarna's Payments SDK (https://x.klarnacdn.net/kp/lib/v1/api.js), served by the sandbox of
 * django-klarna. It is not Klarna's code. It speaks the same calls, draws the amount of the session behind
 * the token, and asks whoever sits before it what Klarna should decide.
 *
 * Not done here: the `data` argument changes nothing, and so no authorize() ends with invalid_fields; options
 * other than container, payment_method_category and auto_finalize are not looked at (payment_method_categories
 * with instance_id, preferred_payment_method); reauthorize() and loadPaymentReview() do not exist. An
 * authorize() after an await, so no longer within the click, opens its dialog all the same, where a browser may
 * block Klarna's window. The authorization token is made up in the browser: no order can be placed with it.
 */
(() => {
  "use strict";

  // Every currency of Klarna Payments has two decimals in ISO 4217, HUF and CZK included.
  const MINOR_UNITS = 100;
  const CATEGORIES = "payment_method_category";
  const EVENTS = ["heightChanged", "fullscreenOverlayShown", "fullscreenOverlayHidden"];

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif;
      letter-spacing: normal; text-align: start; color: light-dark(#1d1633, #f3f0ff); }
    * { box-sizing: border-box; margin: 0; }
    .card { padding: 16px 18px; border: 1px solid light-dark(#dcd5f2, #473d70); border-radius: 12px;
      background: light-dark(#fff, #1f1a33); }
    .row { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; justify-content: space-between; }
    .name { display: inline-flex; align-items: center; gap: 8px; font-size: 14px; font-weight: 600; }
    .name::before { content: ""; width: 10px; height: 10px; border-radius: 50%; background: #7b61ff; }
    .amount { font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; }
    .note { margin-top: 4px; font-size: 14px; color: light-dark(#5d5475, #b9b0d6); }
    dialog { width: min(400px, calc(100vw - 32px)); margin: auto; padding: 24px; border: 0; border-radius: 16px;
      color: inherit; background: light-dark(#fff, #1f1a33); box-shadow: 0 16px 48px rgb(20 10 60 / .35); }
    dialog::backdrop { background: rgb(20 12 45 / .5); }
    dialog .amount { margin-top: 12px; font-size: 30px; }
    .buttons { display: grid; gap: 8px; margin-top: 20px; }
    button { font: inherit; font-weight: 600; padding: 11px 16px; border: 1px solid light-dark(#cfc6ee, #564a86);
      border-radius: 10px; color: inherit; background: transparent; cursor: pointer; }
    button:hover { background: light-dark(#f4f1ff, #2b2446); }
    button.approve { color: #fff; border-color: #5b3fe0; background: #5b3fe0; }
    button.approve:hover { background: #4a30c4; }
    button:focus-visible { outline: 3px solid #a493ff; outline-offset: 2px; }
  `);

  let client = null;
  let openDialog = null;
  // By client token: a page with two sessions calls init() again before it turns to the other one.
  const widgetsOf = new Map();
  const latestLoad = new WeakMap();
  const listeners = new Map(EVENTS.map((event) => [event, new Set()]));

  const fail = (name, message) => {
    const error = new Error(message);
    error.name = name;
    throw error;
  };

  const emit = (event, ...details) => listeners.get(event).forEach((handler) => handler(...details));

  const callbackOf = (data, callback) => {
    const last = typeof data === "function" ? data : callback;
    return typeof last === "function" ? last : () => {};
  };

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  };

  const decodedToken = (token) => {
    try {
      const [head, claims, signature, ...more] = token.split(".").map((part) => part.replace(/-/g, "+").replace(/_/g, "/"));
      const { session_id, base_url } = JSON.parse(atob(claims));
      if (!JSON.parse(atob(head)).alg || !signature || more.length || !session_id) throw new Error();
      return { token, baseUrl: new URL(base_url).origin };
    } catch {
      return fail("InvalidClientTokenError", "The client_token is not a client token of this sandbox");
    }
  };

  const initialized = () => client || fail("ApplicationNotInitializedError", "Call init() first");

  const containerOf = (container) => {
    let found = container;
    try {
      if (typeof container === "string") found = document.querySelector(container);
    } catch {
      found = null;
    }
    return found instanceof Element
      ? found
      : fail("InvalidContainerSelectorError", `There is no container ${container}`);
  };

  const loadedWidget = (options) => {
    initialized();
    if (!client.widgets.size) fail("ApplicationNotLoadedError", "Call load() first");
    return (
      client.widgets.get(options?.[CATEGORIES]) ||
      fail("PaymentMethodCategoryNotSupportedError", "Give the payment_method_category that was loaded")
    );
  };

  const problem = (code, error) => ({ error_code: code, error_messages: [String(error)] });

  // Whatever goes wrong, the page is called back.
  const failure = (result) => (error) => ({ ...result, error: problem("SDK_ERROR", error) });

  const fetchSession = async ({ token, baseUrl }) => {
    try {
      const response = await fetch(`${baseUrl}/kp/lib/v1/session`, { headers: { Authorization: `Bearer ${token}` } });
      const content = await response.json();
      return response.ok ? { session: content } : { error: content };
    } catch (error) {
      return { error: problem("NETWORK_ERROR", error) };
    }
  };

  // Klarna takes locales that are none for a browser.
  const numberFormat = (locale, options) => {
    try {
      return new Intl.NumberFormat(locale, options);
    } catch {
      return new Intl.NumberFormat(undefined, options);
    }
  };

  const price = ({ order_amount, purchase_currency, locale }) =>
    numberFormat(locale, { style: "currency", currency: purchase_currency }).format(order_amount / MINOR_UNITS);

  const shadowHost = (...children) => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(...children);
    return host;
  };

  const draw = (container, session) => {
    const row = element("div", "row", "");
    row.append(element("span", "name", "Klarna sandbox"), element("span", "amount", price(session)));
    const count = session.quantity === 1 ? "1 item" : `${session.quantity} items`;
    const card = element("div", "card", "");
    card.append(row, element("p", "note", `${count}. A stand-in for Klarna: nothing is charged.`));
    const host = shadowHost(card);
    container.replaceChildren(host);
    emit("heightChanged", host.offsetHeight);
  };

  const supports = (session, category) =>
    category === undefined || session.payment_method_categories.includes(category);

  const loadInto = async (container, category) => {
    const turn = (latestLoad.get(container) || 0) + 1;
    latestLoad.set(container, turn);
    const { session, error } = await fetchSession(client);
    const shown = session && supports(session, category);
    // An answer that was overtaken by a later load() must not draw an older amount.
    if (latestLoad.get(container) === turn) {
      if (shown) draw(container, session);
      else container.replaceChildren();
    }
    return error ? { show_form: false, error } : { show_form: Boolean(shown) };
  };

  const ask = (session) =>
    new Promise((answer) => {
      openDialog?.close();
      const dialog = document.createElement("dialog");
      const buttons = element("div", "buttons", "");
      for (const decision of ["Approve", "Decline", "Close"]) {
        const button = element("button", decision.toLowerCase(), decision);
        button.type = "button";
        button.addEventListener("click", () => dialog.close(decision));
        buttons.append(button);
      }
      dialog.setAttribute("aria-label", "Klarna sandbox");
      dialog.append(
        element("div", "name", "Klarna sandbox"),
        element("div", "amount", price(session)),
        element("p", "note", "What should Klarna decide? Nothing is charged."),
        buttons,
      );
      const host = shadowHost(dialog);
      dialog.addEventListener("close", () => {
        host.remove();
        if (openDialog === dialog) openDialog = null;
        emit("fullscreenOverlayHidden");
        answer(dialog.returnValue);
      });
      openDialog = dialog;
      document.body.append(host);
      dialog.showModal();
      emit("fullscreenOverlayShown");
    });

  const approval = () => ({ approved: true, show_form: true, authorization_token: crypto.randomUUID() });

  const outcome = (decision, widget, autoFinalize) => {
    widget.finalizeRequired = decision === "Approve" && !autoFinalize;
    if (widget.finalizeRequired) return { approved: true, show_form: true, finalize_required: true };
    if (decision === "Approve") return approval();
    return { approved: false, show_form: decision !== "Decline" };
  };

  const Payments = {
    init(options) {
      const { token, baseUrl } = decodedToken(options?.client_token);
      if (!widgetsOf.has(token)) widgetsOf.set(token, new Map());
      client = { token, baseUrl, widgets: widgetsOf.get(token) };
    },

    load(options, data, callback) {
      initialized();
      const container = containerOf(options?.container);
      const category = options[CATEGORIES];
      client.widgets.set(category, { finalizeRequired: false });
      loadInto(container, category)
        .catch(failure({ show_form: false }))
        .then(callbackOf(data, callback));
    },

    authorize(options, data, callback) {
      const widget = loadedWidget(options);
      const autoFinalize = options.auto_finalize !== false;
      fetchSession(client)
        .then(async ({ session, error }) =>
          error ? { approved: false, show_form: false, error } : outcome(await ask(session), widget, autoFinalize),
        )
        .catch(failure({ approved: false, show_form: false }))
        .then(callbackOf(data, callback));
    },

    finalize(options, data, callback) {
      const widget = loadedWidget(options);
      if (!widget.finalizeRequired) fail("OperationNotSupportedError", "authorize() asked for no finalize()");
      widget.finalizeRequired = false;
      Promise.resolve(approval()).then(callbackOf(data, callback));
    },

    on(event, handler) {
      (listeners.get(event) || fail("EventNotSupportedError", `There is no event ${event}`)).add(handler);
    },

    off(event, handler) {
      (listeners.get(event) || fail("EventNotSupportedError", `There is no event ${event}`)).delete(handler);
    },
  };

  window.Klarna = { ...window.Klarna, Payments };
  if (typeof window.klarnaAsyncCallback === "function") window.klarnaAsyncCallback();
})();
