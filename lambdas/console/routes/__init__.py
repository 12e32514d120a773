"""The routes: each reads who calls, asks the domain, and answers a document."""
