"""What happens, told at once to who looks on: from the alert bus to channels of AppSync Events.

Who may hear which channel is `channels`; a page that was away for a while asks the API what it has missed.
"""
