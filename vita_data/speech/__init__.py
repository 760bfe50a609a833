"""Spoken questions: which are spoken, the engines that speak them, and the cache of what they said."""
