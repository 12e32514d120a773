"""What the figures about fraud workloads come from."""
