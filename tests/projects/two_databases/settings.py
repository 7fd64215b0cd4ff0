"""Users and their sessions in one database, the shop and Klarna in another."""

from tests.projects.two_databases.routers import SALES
from tests.settings import *  # noqa: F403 - all of it, but for what follows
from tests.settings import DATABASES

DATABASES[SALES] = {**DATABASES["default"], "NAME": f"{DATABASES['default']['NAME']}_{SALES}"}
if "TEST" in DATABASES["default"]:
    DATABASES[SALES]["TEST"] = {"NAME": f"{DATABASES['default']['TEST']['NAME']}_{SALES}"}
DATABASE_ROUTERS = ["tests.projects.two_databases.routers.SalesRouter"]
