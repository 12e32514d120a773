"""The laptop's stand-ins for AWS's images."""
