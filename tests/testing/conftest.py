import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def few_languages(settings: Settings) -> None:
    """A few, and not the hundred of Django, in each of which a cart would be built."""
    settings.LANGUAGES = [("en", "English"), ("sv", "Swedish"), ("de", "German")]
