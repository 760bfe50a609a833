"""One step of a training before there is one: does it fit, and what will it be?"""
