"""AppSync Events: channels that programs publish to and browsers listen to.

The documents of the service: https://docs.aws.amazon.com/appsync/latest/eventapi/. The control plane is
ministack's; what is here are the templates' types and the data plane: `POST /event`, and the WebSocket at
`/event/realtime`.
"""
