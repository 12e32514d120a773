"""Answers in ministack's form, and the account and region that a call belongs to."""

from ministack.core.responses import error_response_json, json_response, now_iso, request_scope

__all__ = ["error_response_json", "json_response", "now_iso", "request_scope"]
