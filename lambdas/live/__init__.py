"""What happens, told at once to who looks on."""
