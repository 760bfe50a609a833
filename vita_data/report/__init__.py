"""One static page that shows what a build did."""
