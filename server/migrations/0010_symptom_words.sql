-- What users of a language call a symptom, beside the lists that are compiled in. `folded` is the word in lower case, without
-- diacritics. A word that is written here by hand is read with the next one that an administrator adds or removes.
CREATE TABLE symptom_words (
    language TEXT NOT NULL,
    folded TEXT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (language, folded)
);
