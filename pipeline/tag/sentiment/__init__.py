"""What is said of a company, by rules, in German and English, with the words it rests on. Pure but for loading the lexicons once.

A cue (direction × noun, event, role, signed percentage) is found in a sentence, weighed by how much it is about the name, and the
weights on both sides become three probabilities. The lexicons are `de.toml` and `en.toml`; the numbers are in `weights.py`.
"""

from pipeline.tag.sentiment.judge import MODEL, judge_article, judge_company, judge_span

__all__ = ["MODEL", "judge_article", "judge_company", "judge_span"]
