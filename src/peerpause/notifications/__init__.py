"""From a history row to the people who must hear of it: who they are, what they are told, and how it reaches them."""
