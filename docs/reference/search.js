// SPDX-License-Identifier: MIT
// Lists the names of names.js that have all words of the search field, or whose description has them.
const field = document.getElementById("search");
const found = document.getElementById("found");

function matches(words) {
    const all = NAMES.filter(([name, , about]) => words.every(word => (name + " " + about).toLowerCase().includes(word)));
    const rank = ([name]) => (words.every(word => name.toLowerCase().includes(word)) ? 0 : 1);
    return all.sort((a, b) => rank(a) - rank(b)).slice(0, 20);
}

function search() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    found.replaceChildren(...(words.length ? matches(words) : []).map(([name, place, about]) => {
        const item = document.createElement("li");
        const link = item.appendChild(document.createElement("a"));
        link.href = place;
        link.appendChild(document.createElement("code")).textContent = name;
        item.append(" " + about);
        return item;
    }));
    found.hidden = !found.children.length;
}

field.hidden = false;
field.addEventListener("input", search);
field.addEventListener("keydown", event => {
    const first = found.querySelector("a");
    if (event.key === "Enter" && first)
        location.href = first.href;
    if (event.key === "Enter" || event.key === "Escape") {
        field.value = "";
        search();
    }
});
document.addEventListener("keydown", event => {
    if (event.key === "/" && document.activeElement !== field) {
        event.preventDefault();
        field.focus();
    }
});
