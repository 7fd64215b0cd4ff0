"""The addresses of the shop."""

from django.urls import path

from example_project.shop import views

urlpatterns = [
    path("", views.catalogue, name="catalogue"),
    path("cart/", views.cart, name="cart"),
    path("cart.json", views.summary, name="cart-summary"),
    path("cart/add/<int:product_id>/", views.add, name="cart-add"),
    path("cart/lines/<int:line_id>/", views.change, name="cart-change"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/delivery/", views.deliver, name="deliver"),
    path("thanks/<str:signed>/", views.thanks, name="thanks"),
]
