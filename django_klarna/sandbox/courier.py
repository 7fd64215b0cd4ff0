"""The thread that sends callbacks while a server runs."""

from threading import Condition, Thread

from django_klarna.sandbox.callbacks import Callback, Callbacks
from django_klarna.sandbox.sending import PATIENCE_SECONDS, is_reachable, send

GOODBYE_SECONDS = 2 * PATIENCE_SECONDS + 1


class Courier:
    """Send what is due from a thread of its own, never while the sandbox is locked."""

    def __init__(self, callbacks: Callbacks, changed: Condition) -> None:
        self._callbacks = callbacks
        self._changed = changed
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Begin to send; what was recorded before stays unsent."""
        with self._changed:
            self._callbacks.are_sent = True
        thread = Thread(target=self._work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Send no more; what waits goes on waiting for the next start."""
        with self._changed:
            self._callbacks.are_sent = False
            self._changed.notify_all()
        while self._threads:
            self._threads.pop().join(GOODBYE_SECONDS)

    def deliver(self, callback: Callback) -> None:
        """Send a callback now, whatever became of it before; to another machine nothing is sent."""
        if is_reachable(callback.url):
            status = send(callback.url, callback.body)
            with self._changed:
                self._callbacks.note(callback, status)

    def _work(self) -> None:
        while (callback := self._next()) is not None:
            self.deliver(callback)

    def _next(self) -> Callback | None:
        with self._changed:
            while self._callbacks.are_sent:
                callback = self._callbacks.due()
                if callback is not None:
                    return callback
                self._changed.wait(self._callbacks.seconds_to_next())
        return None
