"""The entry files of script mode; the archive has them at its root."""
