"""Runs a suite as a shop would, and tells what failed."""

import unittest

from django.test import TestCase, TransactionTestCase

from django_klarna.testing import CartAdapterTests


def outcome(
    suite: type[CartAdapterTests], base: type[TransactionTestCase] = TestCase
) -> tuple[int, dict[str, str]]:
    """How many tests ran, and the message of each that failed."""
    case = suite if issubclass(suite, base) else type(suite.__name__, (suite, base), {})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result.testsRun, {
        test.id().rpartition(".")[2]: text for test, text in [*result.failures, *result.errors]
    }
