"""Turns an uploaded photo into its variants, in separate processes that can do nothing else.

The parent's side is ``pool.ImageWorker``; ``rendered`` and ``reasons`` hold what it answers with and
``formats.sniff`` tells a content type from the first bytes. ``worker`` and everything that decodes
(``opening``, ``colour``, ``variants``, ``placeholder``) run only in the confined processes, so this
package imports nothing by itself.
"""
