"""`watchkeeper cost`: what is asked for, and how it is told; model and prices are in `lambdas.costs`."""
