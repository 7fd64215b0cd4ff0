"""The files that the pages name are served: the shop's, the package's and the admin's."""

import re

from tests.example.conftest import Shopper

PAGES = ("/", "/cart/", "/checkout/", "/admin/django_klarna/klarnasession/")


def test_pages_find_their_files(shopper: Shopper) -> None:
    shopper.add("mug")
    shopper.submit("/admin/login/", "/admin/login/", username="staff", password="staff-demo", next="/admin/")
    pages = "".join(shopper.get(page).text for page in PAGES)
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', pages))
    assert {file: shopper.get(file).status_code for file in files} == dict.fromkeys(files, 200)
    ours = {file.rpartition("/")[2] for file in files if "/django_klarna/" in file}
    assert ours == {"admin.css", "klarna.css", "klarna.js"}
