-- How medical terms are to be said in a language. `folded` is the term in lower case, without diacritics; `avoid` holds a wording
-- a line. As with words of symptoms, what is written here by hand is read with the next change that an administrator makes.
CREATE TABLE glossary_terms (
    language TEXT NOT NULL,
    folded TEXT NOT NULL,
    term TEXT NOT NULL,
    preferred TEXT NOT NULL,
    avoid TEXT NOT NULL,
    PRIMARY KEY (language, folded)
);
