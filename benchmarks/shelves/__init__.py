"""The scoring loop's host over shelves, without a cloud: how long an interval of many series takes."""
