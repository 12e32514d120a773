"""Answers and bodies of the console's API, as pydantic validates them and OpenAPI publishes them."""
