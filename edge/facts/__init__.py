"""Facts: the one room of the edge where they are read, for every surface and for the gate before image bytes.

=========  ==================================================  =====================
fact       what                                                shared by
=========  ==================================================  =====================
person     what is public of somebody                          all viewers
post       a post as its author made it                        all viewers
circle     how a viewer stands to everybody, packed            one viewer's surfaces
facets     what services add to a post: counts (shared by all  all, or one viewer
           viewers), what the viewer did with it
=========  ==================================================  =====================
"""

from edge.facts.facts import Facts, post_not_found, user_not_found
from edge.facts.known import Person, Post, SeenPost

__all__ = ["Facts", "Person", "Post", "SeenPost", "post_not_found", "user_not_found"]
