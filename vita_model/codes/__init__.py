"""Speech as codec tokens: what `vita-model encode` makes of a finished stage."""
