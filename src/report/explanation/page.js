// The page of `explain`: the bundle stands in the page itself.
Glass.start();
