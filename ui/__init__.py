"""The Streamlit interface: it speaks HTTP to the API."""
