"""The endpoints of a checkout page; the only importer of Django REST framework."""
