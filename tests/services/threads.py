from django.db import connection


def in_thread(work):
    """Make the target of a thread that leaves no database connection behind."""

    def run():
        try:
            work()
        finally:
            connection.close()

    return run
