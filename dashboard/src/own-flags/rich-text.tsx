/** Markdown or HTML of somebody's, shown without whatever could run a program, load something or look like another page. */
import { Box } from "@mantine/core";
import DOMPurify from "dompurify";
import { marked } from "marked";
import { useEffect, useRef } from "react";

const ALLOWED = {
  ALLOWED_TAGS: ["a", "b", "br", "code", "del", "em", "i", "li", "ol", "p", "s", "span", "strong", "u", "ul"],
  ALLOWED_ATTR: ["href", "title"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?!\/))/i,
  RETURN_DOM_FRAGMENT: true as const,
};

/** What may be shown of a text. */
export function safe(text: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parse(text, { async: false, gfm: true }), ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  return fragment;
}

export default function RichText({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.replaceChildren(safe(text)), [text]);
  return <Box ref={place} fz="sm" className="rich-text" />;
}
