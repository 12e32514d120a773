"""The pre-built SKLearn image: the real training toolkit and the real inference transformer."""
