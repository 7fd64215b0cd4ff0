/*
 * A stand-in for Klarna's Payments SDK (https://x.klarnacdn.net/kp/lib/v1/api.js), served by the sandbox of
 * django-klarna. It is not Klarna's code. It speaks the same calls, draws the amount of the session behind
 * the token, takes the `data` of a call to the sandbox, and asks whoever sits before it what Klarna should
 * decide: Approve, Decline or Close, and of orders Pending (a review) and Reject (refused when it is placed).
 *
 * Not done here: options other than container, payment_method_category and auto_finalize are not looked at
 * (payment_method_categories with instance_id, preferred_payment_method); loadPaymentReview() does not exist. An
 * authorize() after an await, so no longer within the click, opens its dialog all the same, where a browser may
 * block Klarna's window. A load() whose data are wrong draws the session as it was.
 */
(() => {
  "use strict";

  // Every currency of Klarna Payments has two decimals in ISO 4217, HUF and CZK included.
  const MINOR_UNITS = 100;
  const CATEGORY = "payment_method_category";
  const DECISIONS = ["Approve", "Decline", "Close", "Pending", "Reject"];
  const REFUSALS = ["decline", "close"];
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

  const dataOf = (data) =>
    typeof data === "object" && data !== null && Object.keys(data).length ? data : undefined;

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
      client.widgets.get(options?.[CATEGORY]) ||
      fail("PaymentMethodCategoryNotSupportedError", "Give the payment_method_category that was loaded")
    );
  };

  const problem = (code, error) => ({ error_code: code, error_messages: [String(error)] });

  // Whatever goes wrong, the page is called back.
  const failure = (result) => (error) => ({ ...result, error: problem("SDK_ERROR", error) });

  const request = async ({ token, baseUrl }, path, content) => {
    try {
      const response = await fetch(`${baseUrl}/kp/lib/v1/${path}`, {
        method: content ? "POST" : "GET",
        headers: { Authorization: `Bearer ${token}`, ...(content && { "Content-Type": "application/json" }) },
        body: content && JSON.stringify(content),
      });
      const answer = await response.json();
      return response.ok && !answer.invalid_fields ? { answer } : { error: answer };
    } catch (error) {
      return { error: problem("NETWORK_ERROR", error) };
    }
  };

  // With data the session is changed first; an error names those that are wrong in invalid_fields.
  const fetchSession = async (to, data) => {
    const { answer, error } = await request(to, "session", data && { data });
    return { session: answer, error };
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

  const loadInto = async (container, category, data) => {
    const to = client;
    const turn = (latestLoad.get(container) || 0) + 1;
    latestLoad.set(container, turn);
    let { session, error } = await fetchSession(to, data);
    if (error?.invalid_fields) ({ session } = await fetchSession(to));
    const shown = session && supports(session, category);
    // An answer that was overtaken by a later load() must not draw an older amount.
    if (latestLoad.get(container) === turn) {
      if (shown) draw(container, session);
      else container.replaceChildren();
    }
    return { show_form: Boolean(shown), ...(error && { error }) };
  };

  const ask = (session) =>
    new Promise((answer) => {
      openDialog?.close();
      const dialog = document.createElement("dialog");
      const buttons = element("div", "buttons", "");
      for (const decision of DECISIONS) {
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
        answer((dialog.returnValue || "Close").toLowerCase());
      });
      openDialog = dialog;
      document.body.append(host);
      dialog.showModal();
      emit("fullscreenOverlayShown");
    });

  const refusal = (error) => ({ approved: false, show_form: Boolean(error.invalid_fields), error });

  const decide = async (to, decision, data) => {
    const { answer, error } = await request(to, "authorize", { decision, data });
    return error ? refusal(error) : answer;
  };

  // The data are looked at before the person is asked, and Klarna decides when the person has.
  const askAndDecide = async (to, category, data, decided) => {
    const { session, error } = await fetchSession(to, data);
    if (error) return refusal(error);
    if (!supports(session, category)) fail("PaymentMethodCategoryNotSupportedError", "The session has none such");
    return decided(await ask(session));
  };

  const waitForFinalize = (widget, decision) => {
    widget.decision = decision;
    return { approved: true, show_form: true, finalize_required: true };
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
      const category = options[CATEGORY];
      client.widgets.set(category, { decision: null });
      loadInto(container, category, dataOf(data))
        .catch(failure({ show_form: false }))
        .then(callbackOf(data, callback));
    },

    authorize(options, data, callback) {
      const widget = loadedWidget(options);
      const to = client;
      widget.decision = null;
      askAndDecide(to, options[CATEGORY], dataOf(data), (decision) =>
        options.auto_finalize === false && !REFUSALS.includes(decision)
          ? waitForFinalize(widget, decision)
          : decide(to, decision),
      )
        .catch(failure({ approved: false, show_form: false }))
        .then(callbackOf(data, callback));
    },

    finalize(options, data, callback) {
      const widget = loadedWidget(options);
      const { decision } = widget;
      if (!decision) fail("OperationNotSupportedError", "authorize() asked for no finalize()");
      widget.decision = null;
      decide(client, decision, dataOf(data))
        .then((result) => {
          if (result.error?.invalid_fields) widget.decision = decision;
          return result;
        })
        .catch(failure({ approved: false, show_form: false }))
        .then(callbackOf(data, callback));
    },

    // For a page without a widget, such as a review after the checkout.
    reauthorize(options, data, callback) {
      const to = initialized();
      askAndDecide(to, options?.[CATEGORY], dataOf(data), (decision) => decide(to, decision))
        .catch(failure({ approved: false, show_form: false }))
        .then(callbackOf(data, callback));
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
